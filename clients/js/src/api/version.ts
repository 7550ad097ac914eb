/** The version of package.json. A test compares them. */
export const version: string = "0.6.0";
