export interface SourceFile {
  path: string;
  lines: number;
  comments: number;
  imports: number;
}

export interface Sizes {
  files: number;
  lines: number;
  median: number;
  p95: number;
  /** Share of files below 15 lines, 0 to 1. */
  tiny: number;
  commentShare: number;
  importShare: number;
  largest: SourceFile[];
}

/** Lines that are not empty, and how many of them are comments or imports (by their beginning, not by parsing). */
export function measure(path: string, text: string): SourceFile {
  const lines = text.split('\n').map((line) => line.trim());
  const filled = lines.filter((line) => line !== '');
  return {
    path,
    lines: filled.length,
    comments: filled.filter((line) => /^(\/\/|\/\*|\*)/.test(line)).length,
    imports: filled.filter((line) => line.startsWith('import ')).length,
  };
}

/** Median, 95th percentile and shares, as style statement 9 names them. */
export function sizesOf(files: SourceFile[]): Sizes {
  const ordered = [...files].sort((a, b) => a.lines - b.lines);
  const at = (share: number): number =>
    ordered[Math.min(ordered.length - 1, Math.floor(share * ordered.length))]?.lines ?? 0;
  const sum = (of: (file: SourceFile) => number): number =>
    files.reduce((total, file) => total + of(file), 0);
  const lines = sum((file) => file.lines);
  return {
    files: files.length,
    lines,
    median: at(0.5),
    p95: at(0.95),
    tiny: share(files.filter((file) => file.lines < 15).length, files.length),
    commentShare: share(
      sum((file) => file.comments),
      lines,
    ),
    importShare: share(
      sum((file) => file.imports),
      lines,
    ),
    largest: ordered.slice(-5).reverse(),
  };
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
