export const givenNames = [
  'María', 'José', 'Ana', 'Luis', 'Carmen', 'Juan', 'Rosa', 'Miguel', 'Guadalupe', 'Jesús', 'Elena', 'Andrés', 'Lucía', 'Ramón',
  'Emily', 'James', 'Olivia', 'Marcus', 'Grace', 'Daniel', 'Tanisha', 'Kevin', 'Sarah', 'Andre', 'Hannah', 'Tyrone', 'Claire',
  'Min-jun', 'Seo-yeon', 'Wei', 'Xiu Ying', 'Anh', 'Minh', 'Ani', 'Armen', 'Narine', 'Jomar', 'Maricel', 'Olena', 'Dmitri', 'Reza',
  'Leila', 'Yusuf', 'Fatima', 'D’Angelo', 'Zoë',
] as const;

export const familyNames = [
  'García', 'Hernández', 'López', 'Martínez', 'Ramírez', 'Flores', 'De la Cruz', 'Ortiz-Vega', 'Peña', 'Ibáñez', 'Castillo', 'Núñez',
  'Johnson', 'Williams', 'Brown', 'Walker', 'O’Neill', 'Smith-Jones', 'Carter', 'Reed', 'Kim', 'Park', 'Chen', 'Wong', 'Nguyễn', 'Trần',
  'Petrosyan', 'Sargsyan', 'Santos', 'Reyes', 'Kovalenko', 'Ivanov', 'Tehrani', 'Hosseini', 'Haddad', 'Okafor', 'Müller', 'Ng',
] as const;

export const elementarySchools = [
  'Lincoln Elementary', 'Rosewood Elementary', 'Palm Avenue Elementary', 'Sunrise Elementary', 'Harbor View Elementary',
  'Valley Oaks Elementary', 'Mariposa Elementary', 'Foothill Elementary', 'Canyon Elementary', 'Bell Street Elementary',
  'Cypress Elementary', 'Eastgate Elementary',
] as const;

export const secondarySchools = [
  'Jefferson Middle School', 'Ocean Park Middle School', 'Del Rey Middle School', 'Hillcrest High School', 'Mission High School',
  'Arroyo High School', 'Northgate High School',
] as const;

/** Ten home languages: after English, Spanish is the largest. */
export const languages = ['en', 'es', 'hy', 'ko', 'tl', 'zh', 'vi', 'ru', 'fa', 'ar'] as const;

/** The domains of RFC 2606: no letter to them reaches anybody. */
export const domains = ['example.org', 'example.net', 'example.com'] as const;

/** A number of ten digits in the notations of real feeds. */
export const notations: readonly [Notation, ...Notation[]] = [
  (a, b, c) => `(${a}) ${b}-${c}`,
  (a, b, c) => `${a}.${b}.${c} x12`,
  (a, b, c) => `+1 ${a} ${b} ${c}`,
  (a, b, c) => `${a}${b}${c}`,
  (a, b, c) => `${a}-${b}-${c}`,
  (a, b, c) => `1-${a}-${b}-${c}`,
  (a, b, c) => `+1${a}${b}${c}`,
  (a, b, c) => `${a} ${b} ${c} ext. 4`,
];

export type Notation = (area: string, exchange: string, line: string) => string;
