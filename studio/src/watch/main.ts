import { mount } from 'svelte';
import '../styles/base.css';
import Watch from './Watch.svelte';

// "/" is the default channel, "/watch/{channel}" any other.
const named = /^\/watch\/([^/]+)\/?$/.exec(location.pathname)?.[1];
const channel = named ? decodeURIComponent(named) : 'main';
const query = new URLSearchParams(location.search);
const only = query.get('transport');

mount(Watch, {
  target: document.getElementById('app')!,
  props: { channel, only: only === 'hls' || only === 'webrtc' ? only : null, token: query.get('token') },
});
