import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { CodeExample } from '../docs/code-example.tsx';
import { type ExampleName, exampleRequest } from '../docs/example-requests.ts';
import recordedJson from '../docs/recorded-answers.json';
import type { RecordedAnswers } from '../docs/recorded-answers.ts';
import { modelsMessages } from './models-messages.ts';

const recorded: RecordedAnswers = recordedJson;

interface RecordedExampleProps {
  readonly name: ExampleName;
  readonly modelId: string;
}

/** One example of a model's page: the request, and what the default model once answered to it. */
export function RecordedExample({ name, modelId }: RecordedExampleProps) {
  const t = useMessages(modelsMessages);
  const { date } = useFormats();
  const { weights, answers } = recorded;
  return (
    <CodeExample
      body={exampleRequest(name, modelId)}
      sample={{
        // A day is the same everywhere: without a zone it would be the day before in half of the world.
        title: t('recorded', { weights, date: date(`${recorded.date}T12:00:00Z`, 'UTC') }),
        body: formatBody(answers[name]),
      }}
    />
  );
}

/** JSON for readers; the events of a stream stay as they came. */
function formatBody(body: string): string {
  return body.startsWith('{') ? JSON.stringify(JSON.parse(body), null, 2) : body.trimEnd();
}
