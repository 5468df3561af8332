/** `/v1/files`: an account's uploaded files and their text (docs/files.md). */
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Caller } from '../../chat/types.ts';
import { ApiError } from '../../errors.ts';
import { fileTooLarge } from '../../files/file-service.ts';
import { describeErrors } from '../describe-api.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { assertEndpointScope, callerOf } from '../middleware/authenticate.ts';
import { readUpload } from '../middleware/read-upload.ts';
import { invalidField } from '../openai/describe-issue.ts';
import { pathParameter } from '../path-parameter.ts';
import {
  deletedFileSchema,
  encodeFile,
  encodeFileList,
  fileContentSchema,
  fileFormSchema,
  fileListSchema,
  fileParamsSchema,
  fileQuerySchema,
  fileSchema,
} from '../platform/file-schema.ts';
import { parseQuery } from '../platform/parse-query.ts';
import { watchClient } from '../watch-client.ts';
import type { Route } from './route.ts';

const tags = ['Files'];
const security = [{ bearer: [] }];

/** The only purpose that exists here: text is extracted, to be put into a prompt. */
const purposeAccepted = 'file-extract';

function fileCallerOf(request: FastifyRequest): Caller {
  const caller = callerOf(request);
  assertEndpointScope(caller, 'files');
  return caller;
}

/** `POST /v1/files`. */
export function createUploadFileRoute({ files, settings }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/v1/files'],
    access: 'key',
    takesForm: true,
    schema: {
      tags,
      security,
      summary: 'Upload a file and extract its text',
      description:
        'Answers when the text is extracted. A file without text is kept with status `error`; `status_details` says why.',
      operationId: 'createFile',
      consumes: ['multipart/form-data'],
      body: fileFormSchema,
      response: { 200: fileSchema, ...describeErrors([400, 401, 403, 415, 429, 500, 503]) },
    },
    async handle(request, reply) {
      const { accountId } = fileCallerOf(request);
      await files.assertRoom(accountId);
      const { file, fields } = await readUpload(request, {
        receive: (content) => files.receive(accountId, content),
        // What is a little too large is read to its end, so that the sender hears the answer.
        bodyBytesMax: files.bytesMax * 2,
        tooLarge: () => fileTooLarge(files.bytesMax),
        idleMs: settings.uploadIdleMs,
      });
      if (file === undefined) throw invalidField('file', 'is required, expected a file');
      const purpose = fields.get('purpose');
      if (purpose !== purposeAccepted) {
        await file.received.discard();
        throw new ApiError('invalid_request', {
          message: `Invalid purpose: only '${purposeAccepted}' accepted`,
          param: 'purpose',
        });
      }
      const { received, ...labels } = file;
      const stored = await files.store(accountId, received, { ...labels, purpose }, watchClient(reply.raw));
      return reply.send(encodeFile(stored));
    },
  };
}

/** `GET /v1/files`. */
export function createListFilesRoute({ files }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v1/files'],
    access: 'key',
    schema: {
      tags,
      security,
      summary: 'The account’s files, newest first',
      operationId: 'listFiles',
      querystring: fileQuerySchema,
      response: { 200: fileListSchema, ...describeErrors([400, 401, 403, 429, 500]) },
    },
    async handle(request, reply) {
      const { accountId } = fileCallerOf(request);
      const { after, purpose, ...filter } = parseQuery(fileQuerySchema, request, { integers: ['limit'] });
      if (after !== undefined) await files.find(accountId, after);
      const page = await files.list(accountId, {
        ...filter,
        ...(after !== undefined && { after }),
        ...(purpose !== undefined && { purpose }),
      });
      return reply.send(encodeFileList(page));
    },
  };
}

/** `GET /v1/files/{id}`. */
export function createReadFileRoute({ files }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v1/files/:id'],
    access: 'key',
    schema: {
      tags,
      security,
      summary: 'One file',
      operationId: 'getFile',
      params: fileParamsSchema,
      response: { 200: fileSchema, ...describeErrors([401, 403, 404, 429, 500]) },
    },
    async handle(request, reply) {
      const { accountId } = fileCallerOf(request);
      return reply.send(encodeFile(await files.find(accountId, pathParameter(request, 'id'))));
    },
  };
}

/** `DELETE /v1/files/{id}`. */
export function createDeleteFileRoute({ files }: HttpDependencies): Route {
  return {
    method: 'DELETE',
    paths: ['/v1/files/:id'],
    access: 'key',
    schema: {
      tags,
      security,
      summary: 'Delete a file with its text',
      operationId: 'deleteFile',
      params: fileParamsSchema,
      response: { 200: deletedFileSchema, ...describeErrors([401, 403, 404, 429, 500, 503]) },
    },
    async handle(request, reply) {
      const { accountId } = fileCallerOf(request);
      const id = pathParameter(request, 'id');
      await files.remove(accountId, id);
      return reply.send({ id, object: 'file', deleted: true } satisfies z.input<typeof deletedFileSchema>);
    },
  };
}

/** `GET /v1/files/{id}/content`. */
export function createFileContentRoute({ files }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v1/files/:id/content'],
    access: 'key',
    schema: {
      tags,
      security,
      summary: 'The extracted text of a file',
      description: 'Paste it as it is into a message of role `system`.',
      operationId: 'getFileContent',
      params: fileParamsSchema,
      produces: ['text/plain'],
      response: { 200: fileContentSchema, ...describeErrors([400, 401, 403, 404, 429, 500, 503]) },
    },
    async handle(request, reply) {
      const { accountId } = fileCallerOf(request);
      const content = await files.readContent(accountId, pathParameter(request, 'id'));
      return reply.type('text/plain; charset=utf-8').send(content);
    },
  };
}
