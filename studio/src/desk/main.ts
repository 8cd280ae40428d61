import { mount } from 'svelte';
import '../styles/base.css';
import '../styles/desk.css';
import Studio from './Studio.svelte';
import { applyTheme, storedTheme } from './session';

applyTheme(storedTheme());
mount(Studio, { target: document.getElementById('app')! });
