const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";

/** A random id of letters and digits. 25 characters are as good as a UUID. */
export function randomID(length = 25): string {
  const bytes = new Uint8Array(length);
  if (typeof crypto !== "undefined" && typeof crypto.getRandomValues === "function") crypto.getRandomValues(bytes);
  else for (let i = 0; i < length; i++) bytes[i] = Math.floor(Math.random() * 256);
  return Array.from(bytes, (b) => alphabet[b % alphabet.length]).join("");
}
