import { defineMessages } from '../../i18n/messages.ts';

export const schemaMessages = defineMessages({
  en: {
    validSchema: 'Valid against the schema',
    validJson: 'A JSON object',
    invalid: 'Not valid',
  },
  zh: {
    validSchema: '符合 schema',
    validJson: '是 JSON 对象',
    invalid: '无效',
  },
});
