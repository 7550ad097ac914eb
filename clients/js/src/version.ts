/** That of package.json; a test compares them. */
export const version: string = "0.6.0";
