// Pages in other tabs load themselves again when somebody signed out in one: what they showed is gone.
const tabs = new BroadcastChannel('pa-shared-tabs');
if (document.currentScript.dataset.done === undefined) tabs.addEventListener('message', () => location.reload());
else tabs.postMessage('done');
