import type { RespReply } from './resp-connection';

/**
 * Lives of keys pass with virtual time; real time does not count. A key that was written since the last look lives for
 * the whole second in which its life ends, since it is a little older by real time; it is then put off to a moment of
 * real time that no run reaches, which no life that the pool gives falls on: so a key that is written again shows.
 */
const LIBRARY = `#!lua name=simulation_lives
local PUT_OFF = 3599777
local lives = {}

local function leftOf(life, at, virtual, real)
  return life and life[1] == at and life[2] - virtual or at - real
end

local function age(known, virtual, real)
  local seen = {}
  for _, key in ipairs(redis.call('KEYS', '*')) do
    local at = redis.call('PEXPIRETIME', key)
    if at > 0 then
      local life = known[key]
      if not life or life[1] ~= at then
        life = { real + PUT_OFF, virtual + math.ceil((at - real) / 1000) * 1000 }
        redis.call('PEXPIREAT', key, life[1])
      end
      if life[2] > virtual then
        seen[key] = life
      else
        redis.call('DEL', key)
      end
    end
  end
  return seen
end

local function dump(known, virtual, real)
  local found = {}
  for _, key in ipairs(redis.call('KEYS', '*')) do
    local at = redis.call('PEXPIRETIME', key)
    found[#found + 1] = key
    found[#found + 1] = at > 0 and string.format('%.0f', math.max(1, leftOf(known[key], at, virtual, real))) or '0'
    found[#found + 1] = redis.call('DUMP', key)
  end
  return found
end

redis.register_function('simulation_lives', function(_, ARGV)
  -- Otherwise the pool's functions and what they have understood are looked through for garbage with every ten calls.
  collectgarbage('setpause', 1000)
  local what, room, virtual = ARGV[1], ARGV[2], tonumber(ARGV[3])
  local t = redis.call('TIME')
  local real = t[1] * 1000 + math.floor(t[2] / 1000)
  if what == 'dump' then
    return dump(lives[room] or {}, virtual, real)
  end
  lives[room] = age(lives[room] or {}, virtual, real)
  return redis.status_reply('OK')
end)`;

/** Each key with what is left of its life (ms, 0 = for ever) and its dump. */
const RESTORE = `
for i = 1, #ARGV, 3 do
  redis.call('RESTORE', ARGV[i], ARGV[i + 1], ARGV[i + 2], 'REPLACE')
end`;

/** How one server is asked. */
export interface LivesRoom {
  readonly database: number;
  call(server: 0 | 1, ...words: (string | number)[]): Promise<RespReply>;
  load(server: 0 | 1, name: string, text: string): Promise<RespReply>;
}

/** Keys of one room with their lives in virtual time, and how they come into another server. */
export class RedisLives {
  readonly #room: LivesRoom;

  constructor(room: LivesRoom) {
    this.#room = room;
  }

  /** Ends lives that are over, `virtualMs` after the beginning of the run. */
  async age(server: 0 | 1, virtualMs: number): Promise<void> {
    await this.#ask(server, 'age', virtualMs);
  }

  /** What there is at the time of the last look. */
  async dump(server: 0 | 1, virtualMs: number): Promise<RespReply[]> {
    return (await this.#ask(server, 'dump', virtualMs)) as RespReply[];
  }

  async restore(server: 0 | 1, dump: RespReply[]): Promise<void> {
    if (dump.length > 0) await this.#room.call(server, 'EVAL', RESTORE, 0, ...(dump as string[]));
  }

  /** Both leave at once and in this order. */
  async #ask(server: 0 | 1, what: string, virtualMs: number): Promise<RespReply> {
    const { database } = this.#room;
    const [, answer] = await Promise.all([
      this.#room.load(server, 'simulation_lives', LIBRARY),
      this.#room.call(server, 'FCALL', 'simulation_lives', 0, what, database, virtualMs),
    ]);
    return answer;
  }
}
