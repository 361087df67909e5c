import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessEntry {
  pid: number;
  group: number;
  residentMb: number;
  command: string;
}

/** Every process of the machine. `/proc` where there is one (a slim image has no ps), else `ps`. */
export function processTable(): ProcessEntry[] {
  return process.platform === 'linux' ? fromProc() : fromPs();
}

/**
 * Members of a process group whose command line holds `marker`. A process id alone proves nothing: after a reboot or a
 * crash it may belong to a stranger, so every record of ours carries something that only our process' command line has.
 */
export function membersOf(group: number, marker: string, table = processTable()): ProcessEntry[] {
  return table.filter((entry) => entry.group === group && entry.command.includes(marker));
}

/** Resident memory of a whole process group, in MB. */
export function residentMbOf(group: number, table = processTable()): number {
  return table.filter((entry) => entry.group === group).reduce((sum, entry) => sum + entry.residentMb, 0);
}

function fromProc(): ProcessEntry[] {
  const entries: ProcessEntry[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      if (command === '') continue; // A kernel thread or a zombie: it has no command line and cannot be ours.
      // The name in parentheses may hold spaces; fields are counted from the last parenthesis: state, parent, group.
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const pages = Number(readFileSync(`/proc/${name}/statm`, 'utf8').split(' ')[1]);
      entries.push({
        pid: Number(name),
        group: Number(fields[2]),
        residentMb: (pages * 4096) / 1048576,
        command,
      });
    } catch {
      // The process ended between the listing and the reading.
    }
  }
  return entries;
}

function fromPs(): ProcessEntry[] {
  const text = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,pgid=,rss=,args='], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line);
    if (match === null) return [];
    const [, pid, group, kilobytes, command] = match;
    return [
      {
        pid: Number(pid),
        group: Number(group),
        residentMb: Number(kilobytes) / 1024,
        command: command ?? '',
      },
    ];
  });
}
