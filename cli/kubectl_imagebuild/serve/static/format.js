// Times and phases for people.

const UNITS = [['d', 86400], ['h', 3600], ['m', 60]];

/** A time that has passed, in its largest unit: 45s, 3m, 5h, 2d. */
export function age(since, now) {
  const seconds = Math.max(Math.floor((now - since) / 1000), 0);
  for (const [name, size] of UNITS) if (seconds >= size) return `${Math.floor(seconds / size)}${name}`;
  return `${seconds}s`;
}

/** A duration: 0.4 s, 12 s, 3m 05s, 1h 02m. */
export function duration(milliseconds) {
  const seconds = Math.max(milliseconds, 0) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const two = (number) => String(number).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h ${two(Math.floor(whole / 60) % 60)}m`;
}

/** A duration that grows, in whole seconds. */
export function growing(milliseconds) {
  const seconds = Math.max(Math.floor(milliseconds / 1000), 0);
  return seconds < 60 ? `${seconds} s` : duration(seconds * 1000);
}

/** A moment in the reader's own time zone. */
export function moment(time) {
  return time ? new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' }) : '';
}

/** The time of day, with milliseconds. */
export function clock(milliseconds) {
  // Not toLocaleTimeString: logs have many lines.
  const date = new Date(milliseconds);
  const two = (number) => (number < 10 ? `0${number}` : number);
  const rest = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${rest}`;
}

const GROUPS = {
  Succeeded: 'succeeded', Failed: 'failed', Cancelled: 'cancelled', Pending: 'waiting', Queued: 'waiting',
  Preparing: 'running', Building: 'running', Pushing: 'running',
};

/** The groups of phases, in the order in which they are offered, and their titles. */
export const TITLES = {
  running: 'Running', waiting: 'Waiting', failed: 'Failed', succeeded: 'Succeeded', cancelled: 'Cancelled',
};

/** The group of a build. Without a phase it waits for an operator; a pod that cannot start waits for something, too. */
export function group({ phase, reason }) {
  return phase === 'Preparing' && reason ? 'waiting' : GROUPS[phase] ?? 'waiting';
}

/** Whether a build has ended. */
export function isFinal(build) {
  return ['succeeded', 'failed', 'cancelled'].includes(group(build));
}

/** Milliseconds from the start of a build to its end, or to now; null if it has not started. */
export function elapsed(build, now) {
  if (!build.started) return null;
  return (build.completed ? Date.parse(build.completed) : now) - Date.parse(build.started);
}

/** A number with separators. */
export function count(number) {
  return number.toLocaleString('en-US');
}
