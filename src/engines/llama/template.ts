/**
 * Renders a conversation into the prompt of a model, by the model's own Jinja template. What the template cannot do
 * is put right around it: tools for templates that know none, orders of roles that it refuses, models without a
 * template (ChatML), Kimi K2 files whose template lacks tool calls (our own of the same format).
 */
import { Template } from '@huggingface/jinja';
import type { ChatRequest } from '../../chat/types.ts';
import { ApiError } from '../../errors.ts';
import { chatMlTemplate, kimiK2Template, kimiSystemText } from './built-in-templates.ts';
import { createControlText, endMark } from './control-text.ts';
import { fitConversation } from './conversation-shape.ts';
import type { LoadedModel, PromptPiece } from './protocol.ts';
import {
  buildConversation,
  type TemplateAbilities,
  type TemplateMessage,
  type TemplateTool,
} from './template-messages.ts';
import { probeShape, probeTools, type RenderTemplate, showsRoles } from './template-probe.ts';
import type { ToolFormat } from './tool-format.ts';

export interface ChatTemplate {
  /** Throws `invalid_request` when the template refuses the conversation for a reason of its own. */
  render(request: ChatRequest): PromptPiece[];
  /** For the log: what of the model's own template could not be used, and what is used instead. */
  readonly notes: readonly string[];
}

export type TemplateModel = Pick<
  LoadedModel,
  'chatTemplate' | 'bosToken' | 'eosToken' | 'hasLeadingBos' | 'specialTokens'
>;

/**
 * Compiles the model's template, or the one that takes its place, and finds out what it can do.
 * @param systemText for conversations that have no system message, instead of what the template says then
 */
export function createChatTemplate(
  model: TemplateModel,
  format: ToolFormat,
  systemText?: string,
): ChatTemplate {
  const { renderer, source, notes } = selectRenderer(model, format);
  const control = createControlText(listGuardedTexts(model, source));
  const render: RenderTemplate = (messages, tools) => renderer(messages, tools, false);
  const abilities: TemplateAbilities = {
    toolRendering: probeTools(render, format),
    defaultSystemText: format.name === 'kimi-k2' ? kimiSystemText : undefined,
    replacedSystemText: systemText,
  };
  const shape = probeShape(render);

  return {
    notes,
    render(request) {
      const conversation = buildConversation(request, abilities, control);
      const messages = fitConversation(conversation.messages, shape);
      const last = request.messages.at(-1);
      const isContinued = last?.role === 'assistant' && last.isPartial;
      try {
        const text = isContinued
          ? renderContinued(messages, (marked) => renderer(marked, conversation.tools, true))
          : render(messages, conversation.tools);
        return control.split(dropLeadingBos(text, model));
      } catch (thrown) {
        throw new ApiError('invalid_request', {
          message: `Invalid request: the chat template of this model refuses the conversation: ${describe(thrown)}`,
          param: 'messages',
          cause: thrown,
        });
      }
    },
  };
}

type Renderer = (
  messages: readonly TemplateMessage[],
  tools: readonly TemplateTool[],
  isContinued: boolean,
) => string;

/** The model's own template when it works here, else ours of the same format (Kimi K2) or ChatML. */
function selectRenderer(
  model: TemplateModel,
  format: ToolFormat,
): { renderer: Renderer; source: string; notes: string[] } {
  const isKimi = format.name === 'kimi-k2';
  const replacement = isKimi ? kimiK2Template : chatMlTemplate;
  const replace = (reason: string) => ({
    renderer: compileTemplate(replacement, model),
    source: replacement,
    notes: [`${reason}; using ${isKimi ? "our own of Kimi K2's format" : 'ChatML'} instead`],
  });
  const own = model.chatTemplate;
  if (own === undefined) return replace('the model file has no chat template');
  try {
    const renderer = compileTemplate(own, model);
    const render: RenderTemplate = (messages, tools) => renderer(messages, tools, false);
    if (!showsRoles(render, ['user'])) return replace("the model's chat template does not render here");
    if (isKimi && probeTools(render, format) === undefined) {
      return replace(
        "the model's chat template does not show tool calls as Kimi K2 does, or needs more of Jinja",
      );
    }
    return { renderer, source: own, notes: [] };
  } catch (thrown) {
    return replace(`the model's chat template cannot be parsed (${describe(thrown)})`);
  }
}

/** Throws an Error when the source is not valid Jinja. */
function compileTemplate(source: string, model: TemplateModel): Renderer {
  const compiled = new Template(source);
  return (messages, tools, isContinued) =>
    compiled.render({
      messages,
      ...(tools.length > 0 && { tools }),
      add_generation_prompt: !isContinued,
      bos_token: model.bosToken,
      eos_token: model.eosToken,
      // Answers here have no separate reasoning, so templates that can switch it off are asked to.
      enable_thinking: false,
      thinking: false,
    });
}

/** The prompt ends right behind the last message's text, so that the model goes on with it. */
function renderContinued(
  messages: readonly TemplateMessage[],
  render: (messages: readonly TemplateMessage[]) => string,
): string {
  const last = messages.at(-1);
  if (last === undefined) return '';
  const text = render([...messages.slice(0, -1), { ...last, content: last.content + endMark }]);
  const end = text.lastIndexOf(endMark);
  if (end < 0) throw new Error('it does not show the last assistant message, so it cannot be continued.');
  return text.slice(0, end);
}

/**
 * Which special tokens are guarded: all that look like markup and all that the template writes. Left out are runs
 * of white space and plain HTML tags, which some vocabularies list too and which are ordinary text.
 */
function listGuardedTexts(model: TemplateModel, source: string): string[] {
  const ends = [model.bosToken, model.eosToken];
  return [...model.specialTokens, ...ends].filter((text) => {
    if (text.length < 2 || text.trim() === '') return false;
    const isPlainTag = /^<\/?[a-z][a-z0-9_]*>$/i.test(text);
    return !isPlainTag || ends.includes(text) || source.includes(text);
  });
}

/** The engine puts BOS in front itself; templates that write it too would double it. */
function dropLeadingBos(text: string, model: TemplateModel): string {
  const isDoubled = model.hasLeadingBos && model.bosToken !== '' && text.startsWith(model.bosToken);
  return isDoubled ? text.slice(model.bosToken.length) : text;
}

function describe(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
