import { render } from 'preact';

import './language.js';
import { App } from './app.js';
import './style/base.css';
import './style/frame.css';
import './style/parts.css';

render(<App />, document.getElementById('app')!);
