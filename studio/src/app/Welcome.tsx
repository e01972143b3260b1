/** Before there is anything: the server is asked, or is not there, or does not know this page. */
import { Empty } from '../parts/Empty.tsx';
import { holdsDesign } from '../share/link.ts';
import { useStudioState } from './studio.ts';
import styles from './TopBar.module.css';
import { Logo } from './TopBar.tsx';

export function Welcome() {
  const connection = useStudioState((state) => state.connection);
  const refusal = useStudioState((state) => state.refusal);
  if (refusal) {
    const isToken = refusal.code === 'bad-token' || refusal.code === 'unauthorized';
    if (isToken && holdsDesign(location.hash)) {
      return (
        <main>
          <Empty icon="link" title="This link holds a design">
            Open the address that your own Studio printed: the design is offered there, or, at
            another port, once you put the part of this address from <code>#</code> on behind that
            one.
          </Empty>
        </main>
      );
    }
    return (
      <main>
        <Empty
          icon="alert"
          title={isToken ? 'This address does not open Studio' : 'Studio cannot open'}
        >
          {refusal.message}
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
