/** Common names and words, each with its Latin spelling for screen names. Nothing here was copied from anybody. */
export type Name = readonly [shown: string, latin: string];

export const MALE: readonly Name[] = [
  ['Александр', 'alex'],
  ['Дмитрий', 'dmitry'],
  ['Иван', 'ivan'],
  ['Максим', 'maxim'],
  ['Михаил', 'mikhail'],
  ['Никита', 'nikita'],
  ['Павел', 'pavel'],
  ['Сергей', 'sergey'],
  ['Тимур', 'timur'],
  ['Юрий', 'yury'],
];
export const FEMALE: readonly Name[] = [
  ['Алина', 'alina'],
  ['Анна', 'anna'],
  ['Вера', 'vera'],
  ['Дарья', 'darya'],
  ['Елена', 'elena'],
  ['Ирина', 'irina'],
  ['Мария', 'maria'],
  ['Ольга', 'olga'],
  ['Софья', 'sofya'],
  ['Юлия', 'yulia'],
];
export const LAST: readonly Name[] = [
  ['Иванов', 'ivanov'],
  ['Смирнов', 'smirnov'],
  ['Кузнецов', 'kuznetsov'],
  ['Попов', 'popov'],
  ['Васильев', 'vasilyev'],
  ['Петров', 'petrov'],
  ['Соколов', 'sokolov'],
  ['Новиков', 'novikov'],
  ['Фёдоров', 'fedorov'],
  ['Морозов', 'morozov'],
  ['Волков', 'volkov'],
  ['Лебедев', 'lebedev'],
];
export const CITIES = ['Москва', 'Санкт-Петербург', 'Казань', 'Новосибирск', 'Екатеринбург', 'Томск'];

export const TOPICS: readonly Name[] = [
  ['Книги', 'books'],
  ['Кино', 'cinema'],
  ['Походы', 'hiking'],
  ['Шахматы', 'chess'],
  ['Музыка', 'music'],
  ['Рецепты', 'recipes'],
  ['Бег', 'running'],
  ['История', 'history'],
  ['Фотография', 'photo'],
  ['Программисты', 'coders'],
];

/** What posts are made of. */
export const WORDS = (
  'сегодня утро город дорога новый старый дом книга вечер друзья лето снег река поезд встреча музыка ' +
  'работа время окно чай рассказ вопрос ответ праздник неделя план фото парк мост история'
).split(' ');

export function pick<T>(list: readonly T[], position: number): T {
  return list[position % list.length] as T;
}
