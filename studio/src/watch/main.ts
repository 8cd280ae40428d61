import { mount } from 'svelte';
import '../styles/base.css';
import Watch from './Watch.svelte';

// "/" is the default channel, "/watch/{channel}" any other.
const named = /^\/watch\/([^/]+)\/?$/.exec(location.pathname)?.[1];
const channel = named ? decodeURIComponent(named) : 'main';
const only = new URLSearchParams(location.search).get('transport');

mount(Watch, {
  target: document.getElementById('app')!,
  props: { channel, only: only === 'hls' || only === 'webrtc' ? only : null },
});
