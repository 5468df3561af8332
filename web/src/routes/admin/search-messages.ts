import { defineMessages } from '../../i18n/messages.ts';

export const searchMessages = defineMessages({
  en: {
    title: 'Web search',
    description:
      'Where $web_search looks, in this order. A test asks every backend by itself; nobody is charged.',
    query: 'Test query',
    placeholder: 'context caching',
    test: 'Test',
    answered: { one: '{count} result in {time}', other: '{count} results in {time}' },
    failed: 'No answer after {time}',
    unavailable: 'Unavailable',
    timeout: 'Too slow',
    refused: 'Refused',
    rate_limited: 'Quota used up',
    bad_answer: 'Unreadable answer',
    ready: 'Answered',
    noResults: 'It answered, and found nothing.',
    emptyTitle: 'Nothing tested yet',
    emptyText:
      'Backends are set in the configuration: searxng_url, brave_api_key, tavily_api_key, exa_api_key; the local index needs nothing.',
  },
  zh: {
    title: '联网搜索',
    description: '$web_search 按此顺序查找。测试会逐个询问后端，不会扣费。',
    query: '测试查询',
    placeholder: '上下文缓存',
    test: '测试',
    answered: { one: '{time} 内 {count} 条结果', other: '{time} 内 {count} 条结果' },
    failed: '{time} 后没有回答',
    unavailable: '不可用',
    timeout: '太慢',
    refused: '被拒绝',
    rate_limited: '配额用尽',
    bad_answer: '回答无法读取',
    ready: '已回答',
    noResults: '已回答，但没有结果。',
    emptyTitle: '尚未测试',
    emptyText:
      '后端在配置中设置：searxng_url、brave_api_key、tavily_api_key、exa_api_key；本地索引无需设置。',
  },
});
