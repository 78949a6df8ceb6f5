// @ts-check
// For programs that do one thing and overwrite files in doing it: an argument, --help too, means that something else is wanted.
const [argument] = process.argv.slice(2);
if (argument !== undefined) {
  console.error(`${process.argv[1]} takes no arguments (${argument}): it writes the committed results into the docs.`);
  process.exit(2);
}
