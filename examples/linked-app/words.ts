export const words = {
  en: {
    signIn: 'Sign in with Parent Access',
    intro: 'Sign in with the account you use for every app of the district.',
    signedInAs: 'Signed in as',
    children: 'Your children',
    noChildren: 'No child is shown. If one is missing, ask the school to check your contact record.',
    checked: 'As the schools’ records stood at',
    refresh: 'Check again',
    signOut: 'Sign out',
    tryAgain: 'Try again',
    cancelled: 'You did not finish signing in, so nothing was shared.',
    ended: 'Your sign-in has ended. Please sign in again.',
    stale: 'This sign-in was started in another browser or too long ago.',
    wrongIssuer: 'The link that brought you here names another sign-in service.',
    notUp: 'The sign-in service cannot be reached right now. Please try again in a minute.',
    failed: 'Signing in did not work. Please try again.',
    forbidden: 'This form was not sent from this page.',
    notFound: 'There is no such page.',
    home: 'Back to the start',
  },
  es: {
    signIn: 'Entrar con Parent Access',
    intro: 'Entre con la cuenta que usa para todas las aplicaciones del distrito.',
    signedInAs: 'Sesión iniciada como',
    children: 'Sus hijos',
    noChildren: 'No se muestra ningún hijo. Si falta uno, pida a la escuela que revise sus datos de contacto.',
    checked: 'Según los registros de las escuelas a las',
    refresh: 'Consultar de nuevo',
    signOut: 'Cerrar sesión',
    tryAgain: 'Intentar de nuevo',
    cancelled: 'Usted no terminó de entrar, así que no se compartió nada.',
    ended: 'Su sesión terminó. Por favor, entre de nuevo.',
    stale: 'Este inicio de sesión empezó en otro navegador o hace demasiado tiempo.',
    wrongIssuer: 'El enlace que le trajo aquí nombra otro servicio de inicio de sesión.',
    notUp: 'No se puede llegar al servicio de inicio de sesión. Inténtelo de nuevo en un minuto.',
    failed: 'No se pudo entrar. Por favor, inténtelo de nuevo.',
    forbidden: 'Este formulario no se envió desde esta página.',
    notFound: 'Esta página no existe.',
    home: 'Volver al inicio',
  },
} as const;

export type Language = keyof typeof words;
export type Words = (typeof words)[Language];

/** The language of a request: Spanish where the browser asks for it first, else English. */
export function languageOf(acceptLanguage: string | undefined): Language {
  return /^\s*es\b/i.test(acceptLanguage ?? '') ? 'es' : 'en';
}
