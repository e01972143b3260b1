import { createRoot } from 'react-dom/client';
import './theme/tokens.css';
import { App } from './app/App.tsx';

const place = document.getElementById('studio');
if (!place) throw new Error('index.html has no element with the id studio');
createRoot(place).render(<App />);
