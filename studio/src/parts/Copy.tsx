/** A line to paste elsewhere, with the button that takes it. */
import { useEffect, useState } from 'react';
import { Button, IconButton } from './Button.tsx';
import styles from './Copy.module.css';

const thanksMs = 1_600;

function useCopied(text: string): readonly [copied: boolean, copy: () => void] {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), thanksMs);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => {
    void copyText(text).then(setCopied);
  };
  return [copied, copy];
}

export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [copied, copy] = useCopied(text);
  return (
    <Button small icon={copied ? 'check' : 'copy'} onPress={copy}>
      {copied ? 'Copied' : label}
    </Button>
  );
}

export function CopyLine({ text, label }: { readonly text: string; readonly label: string }) {
  const [copied, copy] = useCopied(text);
  return (
    <div className={styles.line}>
      <code className={styles.text}>{text}</code>
      <IconButton
        small
        icon={copied ? 'check' : 'copy'}
        label={copied ? 'Copied' : label}
        onPress={copy}
      />
    </div>
  );
}

/** The clipboard is refused to pages from files; then the old way, through a selection. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}
