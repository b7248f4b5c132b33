/** An OpenAPI document as TypeScript: for each route the same parts as `Route` has, written out in full. */

/** What the API uses of JSON Schema. Anything else is refused below, so that nothing is passed over in silence. */
export interface JsonSchema {
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'null' | 'object' | 'array';
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
}
interface Operation {
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: 'path' | 'query';
    readonly required?: boolean;
    readonly schema: JsonSchema;
  }[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export interface DocumentedRoute {
  /** `METHOD /path` */
  readonly name: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
  /** Of the successes. */
  readonly answers: string;
  /** Of everything else; null where it tells of none. */
  readonly problem: string | null;
}

export function routesOf({ paths }: OpenApi): DocumentedRoute[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => {
      const { requestBody, responses } = operation;
      const successes = Object.entries(responses).filter(([status]) => status.startsWith('2'));
      const answers = successes.map(([status, answer]) => `readonly ${status}: ${bodyOf(answer)}`);
      const problem = responses['4XX']?.content?.['application/problem+json']?.schema;
      return {
        name: `${method.toUpperCase()} ${path}`,
        path: parametersOf(operation, 'path'),
        query: parametersOf(operation, 'query'),
        body: requestBody === undefined ? 'undefined' : bodyOf(requestBody),
        answers: `{ ${answers.join('; ')} }`,
        problem: problem === undefined ? null : typeOf(problem),
      };
    }),
  );
}

function bodyOf({ content }: Content): string {
  const schema = content?.['application/json']?.schema;
  return schema === undefined ? 'undefined' : typeOf(schema);
}

function parametersOf({ parameters = [] }: Operation, place: 'path' | 'query'): string {
  const members = parameters
    .filter((parameter) => parameter.in === place)
    .map(({ name, required, schema }) => memberOf(name, required === true, schema));
  return members.length === 0 ? 'undefined' : `{ ${members.join('; ')} }`;
}

export function typeOf(schema: JsonSchema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map((one) => `(${typeOf(one)})`).join(' | ');
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'number':
    case 'null':
      return schema.type;
    case 'integer':
      return 'number';
    case 'array':
      return `readonly (${typeOf(schema.items ?? {})})[]`;
    case 'object':
      return objectOf(schema);
    default:
      return unknownOf(schema);
  }
}

/** Nothing is said of it; what is said in words that are not known here must not pass for nothing. */
function unknownOf(schema: JsonSchema): string {
  const said = Object.keys(schema).filter((name) => name !== 'description');
  if (said.length > 0) throw new Error(`a schema of ${said.join(', ')} is not understood`);
  return 'unknown';
}

function objectOf({ properties = {}, required = [], additionalProperties }: JsonSchema): string {
  const members = Object.entries(properties).map(([name, schema]) =>
    memberOf(name, required.includes(name), schema),
  );
  if (additionalProperties === true) members.push('readonly [name: string]: unknown');
  else if (typeof additionalProperties === 'object') {
    members.push(`readonly [name: string]: ${typeOf(additionalProperties)}`);
  }
  return `{ ${members.join('; ')} }`;
}

function memberOf(name: string, required: boolean, schema: JsonSchema): string {
  return `readonly ${JSON.stringify(name)}${required ? '' : '?'}: ${typeOf(schema)}`;
}
