export async function writeRunReport(..._: unknown[]): Promise<never> { throw new Error('TEMPORARY'); }
