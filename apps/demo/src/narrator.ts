/** Prints the story and keeps the score: every amount it tells is compared with the one that must come out. */
export class Narrator {
  private checked = 0;
  private readonly wrong: string[] = [];

  chapter(title: string): void {
    console.log(`\n${bold(title)}`);
  }

  say(text: string): void {
    console.log(`  ${text}`);
  }

  /** A line with amounts that were checked; a wrong one is shown beside what was expected. */
  tell(text: string, amounts: Record<string, [actual: string, expected: string]>): void {
    const parts = Object.entries(amounts).map(([name, [actual, expected]]) => {
      this.checked++;
      if (sameAmount(actual, expected)) return `${name} ${bold(plain(actual))}`;
      this.wrong.push(`${text}: ${name} is ${actual}, expected ${expected}`);
      return `${name} ${red(`${actual} (expected ${expected})`)}`;
    });
    console.log(`  ${text.padEnd(46)} ${parts.join('   ')}`);
  }

  /** @returns whether every amount was right. */
  conclude(): boolean {
    if (this.wrong.length === 0) {
      console.log(`\n${bold(`All ${this.checked} amounts of the story were checked and are right.`)}`);
      return true;
    }
    console.log(red(`\n${this.wrong.length} of ${this.checked} amounts are wrong:`));
    for (const line of this.wrong) console.log(red(`  ${line}`));
    return false;
  }
}

/** Exact comparison of decimal texts: trailing zeros of the fraction say nothing. */
const sameAmount = (a: string, b: string): boolean => plain(a) === plain(b);
const plain = (amount: string): string => (amount.includes('.') ? amount.replace(/\.?0+$/, '') : amount);

const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const bold = (text: string): string => (colour ? `\u001b[1m${text}\u001b[22m` : text);
const red = (text: string): string => (colour ? `\u001b[31m${text}\u001b[39m` : text);
