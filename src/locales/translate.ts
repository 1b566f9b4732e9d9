import { IntlMessageFormat } from 'intl-messageformat';
import en from './en.json' with { type: 'json' };
import es from './es.json' with { type: 'json' };

/** The languages that are complete. English is where a translation is missing. */
export const locales = ['en', 'es'] as const;
export type Locale = (typeof locales)[number];

/** The key of a text, such as `login.title`. */
export type MessageKey = keyof typeof en;

/** The key of what a person reads beside a field that is not right. */
export type ErrorKey = Extract<MessageKey, `error.${string}`>;

/** What a text's ICU placeholders are filled with. */
export type MessageValues = Readonly<Record<string, string | number>>;

/** The text of a key in one language, its placeholders filled. Throws if the text names a placeholder that has no value. */
export interface Translate {
  (key: MessageKey, values?: MessageValues): string;
  readonly locale: Locale;
}

/** The regional form that numbers and dates follow, by language. */
export const regions: Readonly<Record<Locale, string>> = { en: 'en-US', es: 'es-US' };

const messages: Readonly<Record<Locale, Partial<Record<MessageKey, string>>>> = { en, es };

function createTranslator(locale: Locale): Translate {
  const compiled = new Map<MessageKey, IntlMessageFormat>();
  const translate = (key: MessageKey, values?: MessageValues): string => {
    let message = compiled.get(key);
    if (message === undefined) {
      const own = messages[locale][key];
      const spoken = own === undefined ? 'en' : locale;
      // Without `ignoreTag` a "<" in a text would be read as markup; texts here are only ever text.
      message = new IntlMessageFormat(own ?? en[key], regions[spoken], undefined, { ignoreTag: true });
      compiled.set(key, message);
    }
    return String(message.format(values));
  };
  return Object.assign(translate, { locale });
}

const translators: Readonly<Record<Locale, Translate>> = { en: createTranslator('en'), es: createTranslator('es') };

/**
 * The texts of one language; a text without translation is in English. Each message is compiled once, at its first use.
 *
 * @param locale `en` or `es`
 */
export function translator(locale: Locale): Translate {
  return translators[locale];
}
