/** Says how far the work is: in place on a terminal, else in lines, now and then. */
export function createProgress(title: string): (done: number, all: number) => void {
  const isTerminal = process.stderr.isTTY === true;
  let last = Date.now();
  return (done, all) => {
    const isEnd = done >= all;
    if (isTerminal) process.stderr.write(`\r\u001b[K${isEnd ? "" : `${title}: ${done} of ${all}`}`);
    else if (Date.now() - last >= INTERVAL_MILLISECONDS) {
      last = Date.now();
      process.stderr.write(`${title}: ${done} of ${all}\n`);
    }
  };
}

const INTERVAL_MILLISECONDS = 5_000;
