declare const process: { env: Record<string, string>; exit(code: number): never };

/// Where the server is, and how its admin logs in.
export const settings = {
  api: process.env.API!,
  email: process.env.ADMIN_EMAIL!,
  password: process.env.ADMIN_PASSWORD!,
};

/// The value, which must be there.
export function ok<T>(value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error("the answer is missing");
  return value;
}

/// Ends the program unless both are the same.
export function same<T>(found: T, expected: T): void {
  if (found !== expected) throw new Error(`expected ${String(expected)}, found ${String(found)}`);
}
