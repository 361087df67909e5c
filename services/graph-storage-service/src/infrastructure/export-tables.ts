/** Columns of a person of the file, but for the two that are moments or have to be made. */
const PROFILE = 'first_name, last_name, screen_name, sex, birth_date, city, country';
const CAMEL = `first_name AS "firstName", last_name AS "lastName", screen_name AS "screenName", sex,
  birth_date AS "birthDate", city, country`;

/**
 * A cell that a spreadsheet would take for a formula gets a quote in front (OWASP, "CSV injection"): it begins with
 * = + - @, their full-width forms, a tab or an end of line. Ids are cells like any other, in both tables alike.
 */
const CELL = `CASE WHEN regexp_matches(cell_text, '^[=+@\t\r\n\uff1d\uff0b\uff0d\uff20-]') THEN '''' || cell_text ELSE cell_text END`;

const cells = (columns: string): string =>
  columns
    .split(', ')
    .map((column) => `cell(${column}) AS ${column}`)
    .join(', ');

const quoted = (file: string): string => `'${file.replaceAll("'", "''")}'`;
const csv = (file: string): string => `TO ${quoted(file)} (FORMAT csv, HEADER, FORCE_QUOTE *)`;
const parquet = (file: string): string =>
  `TO ${quoted(file)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 32768)`;

/** The SQL of a draft. Values come through appenders; file names are ours. */
export const EXPORT_TABLES = {
  create: `
    CREATE TABLE friendships (
      low VARCHAR, high VARCHAR, since DOUBLE, disputed BOOLEAN, low_seen DOUBLE, high_seen DOUBLE,
      low_import VARCHAR, high_import VARCHAR);
    CREATE TABLE found (
      id VARCHAR, member BOOLEAN, state VARCHAR, first_name VARCHAR, last_name VARCHAR, screen_name VARCHAR,
      sex VARCHAR, birth_date VARCHAR, city VARCHAR, country VARCHAR, closed BOOLEAN, observed DOUBLE);
    CREATE MACRO moment(ms) AS epoch_ms(CAST(ms AS BIGINT));
    CREATE MACRO iso(ms) AS strftime(moment(ms), '%Y-%m-%dT%H:%M:%S.%gZ');
    CREATE MACRO cell(cell_text) AS ${CELL};`,
  /** Members and the ends of friendships, each once, in the order in which people are numbered. */
  complete: `
    CREATE TABLE people AS
      SELECT ids.id, found.* EXCLUDE (id, member)
      FROM (
        SELECT id FROM found WHERE member UNION SELECT low FROM friendships UNION SELECT high FROM friendships
      ) ids LEFT JOIN found ON found.id = ids.id
      ORDER BY length(ids.id), ids.id`,
  count: `
    SELECT (SELECT count(*) FROM people)::DOUBLE, (SELECT count(*) FROM friendships)::DOUBLE`,
  xmlPeople: `SELECT id, state, ${CAMEL}, closed, iso(observed) AS "observedAt" FROM people`,
  xmlFriendships: `SELECT low, high, iso(since) AS since, disputed FROM friendships`,
  csv: {
    people: (file: string): string => `
      COPY (SELECT ${cells('id, state')}, ${cells(PROFILE)}, closed, iso(observed) AS observed_at FROM people)
      ${csv(file)}`,
    friendships: (file: string): string => `
      COPY (
        SELECT cell(low) AS source, cell(high) AS target, iso(since) AS since, disputed,
          iso(low_seen) AS source_seen_at, iso(high_seen) AS target_seen_at,
          cell(low_import) AS source_import, cell(high_import) AS target_import
        FROM friendships)
      ${csv(file)}`,
  },
  parquet: {
    people: (file: string): string => `
      COPY (SELECT id, state, ${PROFILE}, closed, moment(observed) AS observed_at FROM people) ${parquet(file)}`,
    friendships: (file: string): string => `
      COPY (
        SELECT low AS source, high AS target, moment(since) AS since, disputed,
          moment(low_seen) AS source_seen_at, moment(high_seen) AS target_seen_at,
          low_import AS source_import, high_import AS target_import
        FROM friendships)
      ${parquet(file)}`,
  },
} as const;
