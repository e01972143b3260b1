/** One set of line icons, drawn on 16 by 16. They are decoration: names stand on what holds them. */
const drawings = {
  play: 'M5 3.2v9.6L12.6 8z',
  pause: 'M5 3v10M11 3v10',
  stop: 'M4 4h8v8H4z',
  restart: 'M13 8a5 5 0 1 1-1.6-3.7M13.2 2v3h-3',
  previous: 'M11.5 3.5 6 8l5.5 4.5zM4.5 3.5v9',
  next: 'M4.5 3.5 10 8l-5.5 4.5zM11.5 3.5v9',
  live: 'M8 8h.01M5.2 10.8a4 4 0 0 1 0-5.6M10.8 5.2a4 4 0 0 1 0 5.6M3.2 12.8a6.8 6.8 0 0 1 0-9.6M12.8 3.2a6.8 6.8 0 0 1 0 9.6',
  close: 'm4 4 8 8M12 4l-8 8',
  check: 'm3 8.5 3.2 3.2L13 4.8',
  cross: 'm4.5 4.5 7 7M11.5 4.5l-7 7',
  question: 'M6 6.2a2 2 0 1 1 2.8 1.8c-.6.3-.8.7-.8 1.4M8 11.6h.01',
  alert: 'M8 2.5 14.2 13H1.8zM8 6.5v3M8 11.2h.01',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  down: 'm4 6 4 4 4-4',
  up: 'm4 10 4-4 4 4',
  right: 'm6 4 4 4-4 4',
  copy: 'M5.5 5.5h7v7h-7zM10.5 5.5v-2h-7v7h2',
  paste: 'M5.5 3.5h-2v10h9v-10h-2M5.5 2.5h5v2.4h-5z',
  save: 'M3 3h8l2 2v8H3zM5.5 3v3h4V3M5.5 13V9.5h5V13',
  share: 'M8 10V2.5M5 5l3-2.8L11 5M4 8H3v5.5h10V8h-1',
  download: 'M8 2.5v8M5 7.6l3 3 3-3M3 13.5h10',
  link: 'M6.8 9.2 9.2 6.8M7.5 4.8l1-1a2.7 2.7 0 0 1 3.8 3.8l-1 1M8.5 11.2l-1 1a2.7 2.7 0 0 1-3.8-3.8l1-1',
  sun: 'M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6M8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9',
  moon: 'M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z',
  system: 'M2.5 3h11v7.5h-11zM6 13h4M8 10.5V13',
  verdict: 'M8 2 13 4v4c0 3-2.2 5-5 6-2.8-1-5-3-5-6V4zM5.8 8l1.6 1.6 2.9-3.2',
  charts: 'M2.5 2.5v11h11M4.8 10.2l2.6-3.4 2.2 1.8 3.2-4.6',
  bolt: 'M9 1.8 3.8 9H8l-1 5.2L12.2 7H8z',
  inspect:
    'M3 4.5h6.2M12 4.5h1M3 11.5h1M6.8 11.5H13M10.6 3.1a1.4 1.4 0 1 1 0 2.8 1.4 1.4 0 0 1 0-2.8M5.4 10.1a1.4 1.4 0 1 1 0 2.8 1.4 1.4 0 0 1 0-2.8',
  requests: 'M2.5 3.5h6M4.5 6.5h7M6.5 9.5h5M9 12.5h4.5',
  messages: 'M3.5 2v12M12.5 2v12M3.5 4.5l9 2.4M12.5 8.5l-9 2.8',
  compare: 'M2.5 3h4.6v10H2.5zM8.9 3h4.6v10H8.9zM4 9.5h1.6M10.4 6.5H12',
  sweep: 'M2.5 2.5v11h11M4.5 11.2c4.4-.2 6.2-1.6 8-7.6',
  hunt: 'M8 2.8a5.2 5.2 0 1 1 0 10.4A5.2 5.2 0 0 1 8 2.8M8 1v3.4M8 11.6V15M1 8h3.4M11.6 8H15',
  source: 'm5.5 4.5-3.2 3.5 3.2 3.5M10.5 4.5l3.2 3.5-3.2 3.5',
  edit: 'm3 13 .6-2.8L10.8 3 13 5.2l-7.2 7.2zM9.4 4.4l2.2 2.2',
  trash: 'M3 4.5h10M6 4.5V3h4v1.5M4.5 4.5l.6 9h5.8l.6-9M6.8 7v4M9.2 7v4',
  undo: 'M3 6.5h6.5a3.5 3.5 0 0 1 0 7H6M5.8 3.6 3 6.5l2.8 2.9',
  redo: 'M13 6.5H6.5a3.5 3.5 0 0 0 0 7H10M10.2 3.6 13 6.5l-2.8 2.9',
  kill: 'M8 2.2a4.6 4.6 0 0 1 2.8 8.2v1.8H5.2v-1.8A4.6 4.6 0 0 1 8 2.2M6.6 12.2V14M9.4 12.2V14M6.2 7h.01M9.8 7h.01',
  power: 'M8 2v5.5M4.6 4.2a5 5 0 1 0 6.8 0',
  slow: 'M4.5 2.5h7M4.5 13.5h7M5.5 2.5c0 3 2.5 3.8 2.5 5.5s-2.5 2.5-2.5 5.5M10.5 2.5c0 3-2.5 3.8-2.5 5.5s2.5 2.5 2.5 5.5',
  cut: 'M1.5 8h4M10.5 8h4M6.5 5l3 6',
  lose: 'M2 8h2M6 8h.01M9 8h.01M12 8h2M6.4 3.5l3.2 0M6.4 12.5h3.2',
  delay: 'M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M8 5v3.2l2.2 1.4',
  duplicate: 'M3 5.5h6v6H3zM6.5 5.5V3H13v6.2h-4',
  skew: 'M8 2.5a5.5 5.5 0 1 1-5.2 7.2M8 5.2V8l-2 1.2M2.2 6.4l.6 3.3 3-1.2',
  disk: 'M8 2.5c2.9 0 5 .8 5 2s-2.1 2-5 2-5-.8-5-2 2.1-2 5-2M3 4.5v7c0 1.2 2.1 2 5 2s5-.8 5-2v-7',
  surge: 'M2.5 12.5 6 9l2 2 5.5-6.5M9.8 4.5h3.7v3.7',
  shift: 'M2.5 8h4M6.5 8l3-3.5h4M6.5 8l3 3.5h4M11.8 2.8l1.7 1.7-1.7 1.7M11.8 9.8l1.7 1.7-1.7 1.7',
  heal: 'M8 13.2C4 10.6 2.2 8.6 2.2 6.2A3 3 0 0 1 8 5a3 3 0 0 1 5.8 1.2c0 2.4-1.8 4.4-5.8 7z',
  keyboard: 'M1.8 4h12.4v8H1.8zM4.2 6.5h.01M6.7 6.5h.01M9.2 6.5h.01M11.7 6.5h.01M5 9.5h6',
  search: 'M7 2.8a4.2 4.2 0 1 1 0 8.4 4.2 4.2 0 0 1 0-8.4M10.2 10.2l3.3 3.3',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  wide: 'M2.5 3h11v10h-11zM6 3v10',
  file: 'M4 2h5l3 3v9H4zM9 2v3h3',
  clock: 'M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M8 5v3.2l2.2 1.4',
  flask: 'M6 2h4M6.8 2v4L3.2 12.6A1 1 0 0 0 4 14h8a1 1 0 0 0 .8-1.4L9.2 6V2M5 10.5h6',
  flag: 'M4 14V2.5M4 3h8l-2 2.8 2 2.7H4',
} as const;

export type IconName = keyof typeof drawings;

/** Solid ones read better small. */
const solid: ReadonlySet<IconName> = new Set<IconName>(['play', 'stop', 'previous', 'next']);

export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      aria-hidden="true"
      focusable="false"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill={solid.has(name) ? 'currentColor' : 'none'}
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={drawings[name]} />
    </svg>
  );
}
