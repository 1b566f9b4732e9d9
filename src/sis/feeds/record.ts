/** A table of a format's own in which rows of its files wait until they can be joined. It has `run_id`, `row` and `line` besides. */
export interface RecordTable {
  name: string;
  /** Names and types, in the order of a record's values. */
  columns: ReadonlyArray<readonly [name: string, type: string]>;
}

/**
 * A row of a file whose facts are not whole without those of other files. The stager numbers it with the others, counts it as read and
 * writes it to its table: `run_id`, `row` (its number), `line`, and the values. The format's `assemble` then leaves in `staged_rows`
 * exactly one row under that number, which is the record:
 *
 * - with `problem`: it is skipped, for that reason;
 * - with `part_of`: it was joined into that row, and shares its fate;
 * - else it states what its flags say.
 *
 * Besides, `assemble` may leave **derived** rows, such as the pairs that one list of a record names: these have `part_of` too, and state
 * something (`states_student`, `states_contact`, `states_pair` or `gone`). They are planned like any other row and count as no row of
 * the file: what they change makes the record of which they are part `applied`, and their problems are told without being counted.
 * `part_of` never leads to a row that has one.
 */
export interface RecordRow {
  line: number;
  record: RecordTable;
  values: ReadonlyArray<string | number | boolean | null>;
}
