# Compiles the program: TypeScript to JavaScript, Sass to CSS.
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY build ./build
COPY src ./src
COPY interactions ./interactions
COPY migrations ./migrations
RUN npm run build

# What the program needs to run, and no more. The optional packages bring a Node of their own: here the image has it.
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    DATA_DIR=/data
WORKDIR /app
COPY --from=packages /app ./
COPY --from=build /build/dist ./dist
COPY clients.json feeds.json ./
# The only place it writes to; the rest of the file system may be mounted read-only.
RUN mkdir /data && chown node:node /data && chmod +x dist/src/main.js && ln -s /app/dist/src/main.js /usr/local/bin/parent-access
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/readyz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js", "serve"]
