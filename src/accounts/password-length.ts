/** In characters. At most 128: hashing takes time that grows with the length (better-auth's own bounds). */
export const passwordLength = { min: 8, max: 128 } as const;
