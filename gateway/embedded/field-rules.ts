/** A configuration that the gateway does not know in every detail. One sentence that names the place. */
export class ConfigurationFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigurationFault';
  }
}

/** Turns an unknown value into a known one, or refuses it by throwing ConfigurationFault. */
export type Rule<T> = (value: unknown, where: string) => T;
type Shape<T> = { [K in keyof T]: Rule<T[K]> };

/** An object with exactly these fields; what is absent is given to its rule as undefined. */
export function object<T extends object>(shape: Shape<T>): Rule<T> {
  return (value, where) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ConfigurationFault(`${where} must be an object.`);
    }
    for (const name of Object.keys(value)) {
      if (!Object.hasOwn(shape, name))
        throw new ConfigurationFault(`${where} has the unknown field "${name}".`);
    }
    const read = {} as T;
    for (const name of Object.keys(shape) as Array<keyof T & string>) {
      read[name] = shape[name]((value as Record<string, unknown>)[name], `${where}.${name}`);
    }
    return read;
  };
}

export function list<T>(item: Rule<T>): Rule<T[]> {
  return (value, where) => {
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw new ConfigurationFault(`${where} must be a list.`);
    return value.map((entry, at) => item(entry, `${where}[${at}]`));
  };
}

export const text: Rule<string> = (value, where) => {
  if (typeof value !== 'string' || value === '')
    throw new ConfigurationFault(`${where} must be a non-empty string.`);
  return value;
};

/** What Kong takes for the name of a service, route or upstream. */
export const entityName: Rule<string> = (value, where) => {
  const name = text(value, where);
  if (!/^[A-Za-z0-9._~-]+$/.test(name))
    throw new ConfigurationFault(`${where} must be made of letters, digits and the signs . _ ~ -`);
  return name;
};

/** What may stand in a header as it is. */
export const headerText: Rule<string> = (value, where) => {
  const given = text(value, where);
  if (!/^[\x20-\x7e]+$/.test(given)) throw new ConfigurationFault(`${where} must be printable ASCII.`);
  return given;
};

export function integer(least: number, most: number): Rule<number> {
  return (value, where) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
      throw new ConfigurationFault(`${where} must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** A number from 0 to 1. */
export const fraction: Rule<number> = (value, where) => {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1))
    throw new ConfigurationFault(`${where} must be a number from 0 to 1.`);
  return value;
};

export const flag: Rule<boolean> = (value, where) => {
  if (typeof value !== 'boolean') throw new ConfigurationFault(`${where} must be true or false.`);
  return value;
};

export function oneOf<T extends string | number | boolean>(...allowed: T[]): Rule<T> {
  return (value, where) => {
    if (allowed.includes(value as T)) return value as T;
    const known = allowed.map((choice) => JSON.stringify(choice)).join(' or ');
    throw new ConfigurationFault(`${where} is ${JSON.stringify(value)}; this gateway knows only ${known}.`);
  };
}

/** Kong's default where the field is absent. */
export function otherwise<T>(rule: Rule<T>, usual: T): Rule<T> {
  return (value, where) => (value === undefined ? usual : rule(value, where));
}

export function optional<T>(rule: Rule<T>): Rule<T | undefined> {
  return (value, where) => (value === undefined || value === null ? undefined : rule(value, where));
}
