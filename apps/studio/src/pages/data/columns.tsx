/** What the columns of a file are, and what its owner alone can know. */
import type { Look, LookColumn } from '../../api.js';
import type { Told } from './told.js';
import { counted, number } from '../../write.js';

interface Props { readonly look: Look; readonly told: Told; readonly tell: (more: Told) => void }

export function Columns({ look, told, tell }: Props) {
  const map = (column: string, role: string): void => {
    const rest = Object.entries(told.columns ?? {}).filter(([other, name]) => name !== column && other !== role);
    const ignored = (told.ignore ?? []).filter((name) => name !== column);
    if (role === 'ignored') return tell({ columns: Object.fromEntries(rest), ignore: [...ignored, column] });
    tell({ columns: Object.fromEntries(role === '' ? rest : [...rest, [role, column]]), ignore: ignored });
  };
  const ignored = told.ignore ?? [];
  return (
    <section class="step" aria-label="Columns">
      <h2>What is what <span class="quiet">{counted(look.rows, 'row')}</span></h2>
      {look.questions.map((question) => <Ask key={question.about} question={question} told={told} tell={tell} />)}
      <table class="columns cards">
        <caption class="unseen">Columns of the file</caption>
        <thead>
          <tr><th scope="col">column</th><th scope="col">is</th><th scope="col" class="num">filled</th><th scope="col">values</th></tr>
        </thead>
        <tbody>
          {look.columns.map((column) => (
            <tr key={column.name}>
              <th scope="row">{column.name}</th>
              <td data-label="is">
                <select
                  aria-label={`What ${column.name} is`} value={column.role ?? ''}
                  onChange={(event) => map(column.name, event.currentTarget.value)}
                >
                  {(column.role === undefined || column.by === 'given') && <option value="">not used</option>}
                  {look.roles.map(({ role, says }) => <option key={role} value={role}>{role}: {says}</option>)}
                  {column.role !== undefined && <option value="ignored">passed over</option>}
                </select>
                {column.by === 'elimination' && <span class="range">a guess: nothing else was left</span>}
              </td>
              <td data-label="filled" class="num">{number(column.filled)}</td>
              <td data-label="values"><Values column={column} told={told} tell={tell} /></td>
            </tr>
          ))}
          {ignored.map((name) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td colSpan={3}>
                passed over{' '}
                <button type="button" class="plain" onClick={() => tell({ ignore: ignored.filter((one) => one !== name) })}>Use it</button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const MEANINGS = ['good', 'bad', 'none'] as const;

function Values({ column: { common, name }, told, tell }: { readonly column: LookColumn } & Pick<Props, 'told' | 'tell'>) {
  return (
    <>
      {common.slice(0, common[0]?.says === undefined ? 3 : 8).map(({ value, rows, says }) => (
        <span key={value} class={says === undefined ? 'value' : 'value said'}>
          {value} <span class="quiet">×{rows}</span>{' '}
          {says !== undefined && (
            <select
              aria-label={`What ${value} says in ${name}`} value={says}
              onChange={(event) => tell({ values: { ...told.values, [value]: event.currentTarget.value as (typeof MEANINGS)[number] } })}
            >
              {says === 'unknown' && <option value="unknown">?</option>}
              {MEANINGS.map((meaning) => <option key={meaning} value={meaning}>{meaning}</option>)}
            </select>
          )}
        </span>
      ))}
    </>
  );
}

interface Asked extends Omit<Props, 'look'> { readonly question: Look['questions'][number] }

function Ask({ question: { about, text, guess, choices }, told, tell }: Asked) {
  const choose = (value: string): void => {
    if (about === 'comments') return tell({ comments: value as 'judgments' | 'faults' });
    tell({ columns: { ...told.columns, [about.replace(/^columns\./, '')]: value } });
  };
  return (
    <fieldset class="asks">
      <legend>{text}</legend>
      {choices.map(({ value, says }) => (
        <label key={value}>
          <input type="radio" name={about} checked={value === guess} onChange={() => choose(value)} onClick={() => choose(value)} />
          <span><b>{value}</b>: {says}{value === guess && <span class="quiet"> (guessed)</span>}</span>
        </label>
      ))}
    </fieldset>
  );
}
