/**
 * The rules that every application can begin with: injections of SQL, scripts and commands, ways out of
 * a folder, and tools that look for all of them. Patterns run in linear time: no part that repeats holds
 * another that does.
 */
import type { WafField, WafRule, WafTransformation } from './config.ts';

const input: readonly WafField[] = ['args', 'body', 'cookies', 'headers'];
const sql: readonly WafTransformation[] = ['url', 'html', 'comments', 'lower', 'spaces'];
const markup: readonly WafTransformation[] = ['url', 'html', 'lower'];

export const coreRules: readonly WafRule[] = [
  {
    id: 'sql-union',
    on: input,
    transform: sql,
    op: 'matches',
    value: '\\bunion[ (]+(all[ (]+|distinct[ (]+)?select\\b',
    score: 5,
  },
  {
    id: 'sql-always-true',
    on: input,
    transform: sql,
    op: 'matches',
    value:
      '[\'"`)] ?(or|and|\\|\\||&&) ?[\'"(]?[\\w.]+[\'")]? ?(=|<|>|like\\b|is\\b|in\\b|between\\b)',
    score: 5,
  },
  {
    id: 'sql-number-true',
    on: ['args'],
    transform: sql,
    op: 'matches',
    value: '^-?\\d+ (or|and) \\(?(\\d+) ?= ?\\d+',
    score: 5,
  },
  {
    id: 'sql-cut-off',
    on: input,
    transform: sql,
    op: 'matches',
    value: '[\'"`)] ?(--( |-|$)|;? ?#$|; ?--)',
    score: 3,
  },
  {
    id: 'sql-second-statement',
    on: input,
    transform: sql,
    op: 'matches',
    value:
      '; ?(drop|truncate|alter|create) (table|database|schema|user|role|index|view)\\b|; ?(insert into|delete from|update \\w+ set|exec(ute)? )',
    score: 5,
  },
  {
    id: 'sql-slow',
    on: input,
    transform: sql,
    op: 'matches',
    value:
      '\\b(sleep|pg_sleep) ?\\( ?[\\d.]+ ?\\)|\\b(benchmark|load_file|extractvalue|updatexml|dbms_pipe\\.receive_message)\\( ?[\\w\'"]|\\bwaitfor delay\\b|\\bxp_cmdshell\\b',
    score: 5,
  },
  {
    id: 'sql-schema',
    on: input,
    transform: sql,
    op: 'matches',
    value: '\\b(information_schema|pg_catalog|sqlite_master|sysobjects|all_tables)\\b',
    score: 3,
  },
  {
    id: 'script-tag',
    on: input,
    transform: markup,
    op: 'matches',
    value: '<[\\s/]*(script|iframe|object|embed|applet|base|svg|math|meta|frameset)\\b',
    score: 5,
  },
  {
    id: 'script-handler',
    on: input,
    transform: markup,
    op: 'matches',
    value: '<[a-z][^<>]*[\\s/"\']on[a-z]{3,20}\\s*=',
    score: 5,
  },
  {
    id: 'script-attribute',
    on: input,
    transform: markup,
    op: 'matches',
    value:
      '["\'][^<>"\']{0,80}[\\s/"\']on(error|load|click|focus|blur|mouse[a-z]{2,5}|key[a-z]{2,5}|submit|toggle|animation[a-z]{3,9})\\s*=',
    score: 5,
  },
  {
    id: 'script-address',
    on: input,
    transform: markup,
    op: 'matches',
    value: '(^|["\'=\\s(])(javascript|vbscript)\\s*:|data:text/html',
    score: 5,
  },
  {
    id: 'folder-up',
    on: ['path', 'args', 'body'],
    transform: ['url'],
    op: 'matches',
    value: '(^|[\\\\/])\\.\\.[\\\\/]',
    score: 5,
  },
  {
    id: 'file-of-the-system',
    on: ['path', 'args', 'body'],
    transform: ['url', 'lower'],
    op: 'matches',
    value:
      '(^|[\\\\/:])(etc/(passwd|shadow|hosts)|proc/self/|windows/win\\.ini|boot\\.ini)\\b|/\\.(git/|env$|ssh/|htpasswd|aws/)',
    score: 5,
  },
  {
    id: 'zero-byte',
    on: ['path', 'args'],
    transform: ['url'],
    op: 'contains',
    value: '\0',
    score: 5,
  },
  {
    id: 'second-header',
    on: ['args', 'headers'],
    transform: ['url', 'lower'],
    op: 'matches',
    value: '[\\r\\n]\\s*(set-cookie|location|content-(type|length)|http/1)\\b',
    score: 5,
  },
  {
    id: 'command',
    on: input,
    transform: ['url', 'html', 'lower'],
    op: 'matches',
    value:
      '(;|\\||&&|\\$\\(|`|\\n)\\s*(/(usr/)?bin/)?(cat|id|whoami|uname|wget|curl|nc|bash|sh|zsh|powershell|cmd\\.exe|ping|nslookup)(\\s|$|\\)|`|;)',
    score: 5,
  },
  {
    id: 'lookup',
    on: [...input, 'path', 'agent'],
    transform: ['url', 'lower'],
    op: 'matches',
    value: '\\$\\{(jndi|\\$?\\{|lower:|upper:|env:)',
    score: 5,
  },
  {
    id: 'scanner',
    on: ['agent'],
    transform: ['lower'],
    op: 'matches',
    value:
      '\\b(sqlmap|nikto|nmap|masscan|acunetix|nessus|openvas|dirbuster|gobuster|wpscan|hydra|zgrab|nuclei|arachni|w3af|havij)\\b',
    score: 5,
  },
  { id: 'no-agent', on: ['agent'], transform: [], op: 'is', value: '', score: 1 },
];
