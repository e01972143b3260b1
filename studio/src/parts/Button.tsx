/** Buttons. What one does and its key are told by the page's one tooltip, from `data-tip`. */
import type { MouseEvent, ReactNode, Ref } from 'react';
import styles from './Button.module.css';
import { Icon, type IconName } from './Icon.tsx';

interface Pressable {
  readonly onPress?: ((event: MouseEvent<HTMLButtonElement>) => void) | undefined;
  readonly disabled?: boolean | undefined;
  /** One sentence: what happens, or why it cannot. */
  readonly tip?: string | undefined;
  /** As it stands on the key: `Space`, `R`. */
  readonly shortcut?: string | undefined;
  readonly ref?: Ref<HTMLButtonElement> | undefined;
}

export interface ButtonProps extends Pressable {
  readonly children: ReactNode;
  readonly icon?: IconName | undefined;
  readonly tone?: 'plain' | 'primary' | 'quiet' | 'danger' | undefined;
  readonly small?: boolean | undefined;
  readonly submit?: boolean | undefined;
  readonly pressed?: boolean | undefined;
  /** Opens something: what, for screen readers. */
  readonly opens?: 'menu' | 'dialog' | undefined;
  readonly expanded?: boolean | undefined;
}

export function Button(props: ButtonProps) {
  const { tone = 'plain', small, icon, tip, shortcut, pressed, opens, expanded } = props;
  return (
    <button
      ref={props.ref}
      type={props.submit ? 'submit' : 'button'}
      className={[styles.button, styles[tone], small ? styles.small : ''].join(' ')}
      onClick={props.onPress}
      disabled={props.disabled}
      aria-pressed={pressed}
      aria-haspopup={opens}
      aria-expanded={expanded}
      aria-keyshortcuts={shortcut}
      data-tip={tip}
      data-key={shortcut}
    >
      {icon && <Icon name={icon} size={small ? 14 : 16} />}
      {props.children}
    </button>
  );
}

export interface IconButtonProps extends Pressable {
  readonly icon: IconName;
  /** Its name; also its tip unless that says more. */
  readonly label: string;
  readonly pressed?: boolean | undefined;
  readonly tone?: 'quiet' | 'plain' | 'primary' | 'danger' | undefined;
  readonly small?: boolean | undefined;
  readonly opens?: 'menu' | 'dialog' | undefined;
  readonly expanded?: boolean | undefined;
}

export function IconButton(props: IconButtonProps) {
  const { icon, label, tone = 'quiet', small, shortcut, tip = label } = props;
  return (
    <button
      ref={props.ref}
      type="button"
      className={[styles.button, styles.square, styles[tone], small ? styles.small : ''].join(' ')}
      onClick={props.onPress}
      disabled={props.disabled}
      aria-label={label}
      aria-pressed={props.pressed}
      aria-haspopup={props.opens}
      aria-expanded={props.expanded}
      aria-keyshortcuts={shortcut}
      data-tip={tip}
      data-key={shortcut}
    >
      <Icon name={icon} size={small ? 14 : 16} />
    </button>
  );
}
