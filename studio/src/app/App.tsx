export function App() {
  return <h1>Loadpath Studio</h1>;
}
