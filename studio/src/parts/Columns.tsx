/** The head of a table, one plain word or two a column. */
export function Columns({ of: names }: { readonly of: readonly string[] }) {
  return (
    <thead>
      <tr>
        {names.map((name) => (
          <th key={name} scope="col">
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}
