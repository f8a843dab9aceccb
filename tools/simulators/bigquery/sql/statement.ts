/** Cuts a script into statements and says what each is, under the names of `statementType`. */
import { invalidQuery, notSimulated } from '../refused.ts';
import { isParens, isWord, tokensOf, groupsOf, type Node } from './lexer.ts';

export interface Statement {
  readonly sql: string;
  readonly nodes: readonly Node[];
  readonly type: string;
}

export function statementsOf(sql: string): readonly Statement[] {
  const tokens = tokensOf(sql);
  const statements: Statement[] = [];
  let from = 0;
  for (let at = 0; at <= tokens.length; at++) {
    const token = tokens[at];
    if (token !== undefined && !(token.kind === 'operator' && token.text === ';')) continue;
    if (at > from) {
      const start = tokens[from]!.at;
      const text = sql.slice(start, token?.at ?? sql.length);
      const nodes = groupsOf(text, tokensOf(text));
      statements.push({ sql: text, nodes, type: typeOf(nodes) });
    }
    from = at + 1;
  }
  if (statements.length === 0) throw invalidQuery('Syntax error: Unexpected end of statement at [1:1]');
  return statements;
}

function typeOf(nodes: readonly Node[]): string {
  const words = nodes.flatMap((node) => (node.kind === 'word' ? [node.text.toUpperCase()] : []));
  const [first] = nodes;
  if (isWord(first, 'SELECT', 'WITH') || isParens(first)) return 'SELECT';
  if (isWord(first, 'INSERT', 'UPDATE', 'DELETE', 'MERGE')) return words[0]!;
  if (isWord(first, 'TRUNCATE')) return 'TRUNCATE_TABLE';
  const what = words.find((word) => ['TABLE', 'VIEW', 'SCHEMA', 'FUNCTION', 'PROCEDURE'].includes(word)) ?? '';
  if (isWord(first, 'CREATE') && what === 'TABLE')
    return nodes.some(
      (node, at) => isWord(node, 'AS') && (isWord(nodes[at + 1], 'SELECT', 'WITH') || isParens(nodes[at + 1])),
    )
      ? 'CREATE_TABLE_AS_SELECT'
      : 'CREATE_TABLE';
  if (isWord(first, 'CREATE', 'ALTER', 'DROP') && ['TABLE', 'VIEW', 'SCHEMA'].includes(what))
    return `${words[0]}_${what}`;
  if (
    isWord(
      first,
      'CREATE',
      'ALTER',
      'DROP',
      'DECLARE',
      'SET',
      'BEGIN',
      'EXPORT',
      'CALL',
      'GRANT',
      'REVOKE',
      'ASSERT',
      'EXECUTE',
      'LOAD',
    )
  )
    throw notSimulated(`${words.slice(0, 2).join(' ')}`);
  const shown =
    first === undefined || !('text' in first)
      ? 'input'
      : first.kind === 'operator'
        ? `"${first.text}"`
        : `identifier "${first.text}"`;
  throw invalidQuery(`Syntax error: Unexpected ${shown} at [1:1]`);
}
