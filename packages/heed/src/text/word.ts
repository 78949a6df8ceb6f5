/** A word, in any script: "don't", "eco-friendly" and "2.5" are one each, signs are none. */
export const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:['’.,-][\p{L}\p{N}][\p{L}\p{N}\p{M}]*)*/gu;
