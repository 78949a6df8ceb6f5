export function tables() {}
