/** Before there is anything: the server is asked, or is not there, or does not know this page. */
import { Empty } from '../parts/Empty.tsx';
import { useStudioState } from './studio.ts';
import styles from './TopBar.module.css';
import { Logo } from './TopBar.tsx';

export function Welcome() {
  const connection = useStudioState((state) => state.connection);
  const refusal = useStudioState((state) => state.refusal);
  if (refusal) {
    const isToken = refusal.code === 'bad-token' || refusal.code === 'unauthorized';
    return (
      <main>
        <Empty
          icon="alert"
          title={isToken ? 'This address does not open Studio' : 'Studio cannot open'}
        >
          {refusal.message}
          {isToken && ' Open the address that `loadpath studio` printed, with its token.'}
        </Empty>
      </main>
    );
  }
  return (
    <>
      <header className={styles.bar}>
        <h1 className={styles.design}>
          <Logo /> Loadpath Studio
        </h1>
      </header>
      <main aria-busy="true">
        {connection === 'lost' && (
          <Empty icon="link" title="Studio’s server does not answer">
            If it was ended, start it again and open the address that it prints.
          </Empty>
        )}
      </main>
    </>
  );
}
