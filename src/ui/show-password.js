// The one script of these pages: a password can be looked at while it is typed. Without it the button stays hidden.
for (const button of document.querySelectorAll('.pa-show-password')) {
  const field = document.getElementById(button.getAttribute('aria-controls'));
  const show = (visible) => {
    field.type = visible ? 'text' : 'password';
    button.setAttribute('aria-pressed', String(visible));
    button.textContent = visible ? button.dataset.hide : button.dataset.show;
  };
  button.hidden = false;
  button.addEventListener('click', () => {
    show(field.type === 'password');
    field.focus();
  });
  // Sent as a password again, so that the browser neither keeps it as text nor offers it to the next person.
  field.form.addEventListener('submit', () => show(false));
  addEventListener('pageshow', () => show(false));
}
