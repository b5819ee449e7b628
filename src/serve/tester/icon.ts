/** An envelope with a spark. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="8" fill="#4f46e5"/>
<path d="M7 11h18v11H7z" fill="none" stroke="#fff" stroke-width="2.2" stroke-linejoin="round"/>
<path d="m7 11 9 7 9-7" fill="none" stroke="#fff" stroke-width="2.2" stroke-linejoin="round"/>
</svg>
`
