/** IEEE half-precision bit patterns that attention masks are made of. */
export const HALF_ZERO = 0x0000;
export const HALF_MINUS_INFINITY = 0xfc00;
