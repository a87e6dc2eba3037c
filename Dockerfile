# Higgs Audio V2 as a worker for RunPod or any other host: docs/IMAGE.md.
#
#   docker build --target cuda12 -t IMAGE .      (or cuda13, vulkan; cuda12 is the default)
#
# Both images are arguments, so that mirrors, digests and bases of one's own can take their places.
ARG NODE_IMAGE=docker.io/library/node:24-trixie-slim
ARG BASE_IMAGE=docker.io/library/debian:trixie-slim

# --- Tools to build with; nothing of it is in the images but Node.
FROM ${NODE_IMAGE} AS tools
ARG PIP_INDEX_URL=https://pypi.org/simple
ARG NPM_CONFIG_REGISTRY=https://registry.npmjs.org/
ENV NPM_CONFIG_AUDIT=false NPM_CONFIG_FUND=false NPM_CONFIG_UPDATE_NOTIFIER=false NPM_CONFIG_IGNORE_SCRIPTS=true
RUN apt-get update \
 && apt-get install -y --no-install-recommends binutils python3-pip \
 && rm -rf /var/lib/apt/lists/*
# Symbols are 18 MB of the program, for debuggers only.
RUN mkdir -p /node/usr/local/bin && strip -o /node/usr/local/bin/node "$(command -v node)"

# --- The program: compiled, then only what it needs to run.
FROM tools AS app
WORKDIR /build
COPY . .
RUN npm ci && npm run build && node scripts/image/assemble-app.ts /out \
 && npm sbom --package-lock-only --sbom-format cyclonedx > /npm-sbom.json \
 && for target in cuda12 cuda13 vulkan; do \
      mkdir -p "/sbom/$target/usr/share/doc/worker-higgs-audio" \
   && node scripts/image/write-sbom.ts "docker/$target" < /npm-sbom.json \
      > "/sbom/$target/usr/share/doc/worker-higgs-audio/sbom.cdx.json" || exit 1; \
    done \
 && rm -rf node_modules

# --- GPU libraries. Versions and hashes are pinned in docker/*; of a wheel only the files that the library needs are kept.
FROM tools AS gpu-vulkan
WORKDIR /gpu
COPY scripts/image/assemble-gpu.ts scripts/image/elf-facts.ts scripts/image/pruning.ts ./scripts/image/
COPY docker/vulkan/ ./
RUN npm ci && node scripts/image/assemble-gpu.ts /out && rm -rf node_modules

FROM tools AS gpu-cuda13
WORKDIR /gpu
COPY scripts/image/assemble-gpu.ts scripts/image/elf-facts.ts scripts/image/pruning.ts ./scripts/image/
COPY docker/cuda13/ ./
RUN npm ci && mkdir wheels && cd wheels \
 && python3 -m pip download --quiet --no-cache-dir --no-deps --require-hashes --only-binary=:all: -r ../requirements.txt \
 && for wheel in *.whl; do python3 -m zipfile -e "$wheel" . && rm "$wheel" || exit 1; done && cd .. \
 && node scripts/image/assemble-gpu.ts /out wheels && rm -rf node_modules wheels

FROM tools AS gpu-cuda12
WORKDIR /gpu
COPY scripts/image/assemble-gpu.ts scripts/image/elf-facts.ts scripts/image/pruning.ts ./scripts/image/
COPY docker/cuda12/ ./
RUN npm ci && mkdir wheels && cd wheels \
 && python3 -m pip download --quiet --no-cache-dir --no-deps --require-hashes --only-binary=:all: -r ../requirements.txt \
 && for wheel in *.whl; do python3 -m zipfile -e "$wheel" . && rm "$wheel" || exit 1; done && cd .. \
 && node scripts/image/assemble-gpu.ts /out wheels && rm -rf node_modules wheels

# --- What all images have below their libraries: it changes least.
FROM ${BASE_IMAGE} AS base
ARG BASE_IMAGE
LABEL org.opencontainers.image.title="worker-higgs-audio" \
      org.opencontainers.image.description="Higgs Audio V2 text to speech as a RunPod worker" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"
ENV NODE_ENV=production \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HIGGS_HEALTH_SOCKET=/tmp/higgs-health.sock \
    XDG_CACHE_HOME=/tmp/.cache \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    CUDA_CACHE_MAXSIZE=4294967296
WORKDIR /app
STOPSIGNAL SIGTERM
# The first load may convert the weights, and compile kernels for the card.
HEALTHCHECK --interval=30s --timeout=10s --start-period=15m --retries=3 CMD ["higgs", "health"]
ENTRYPOINT ["higgs"]
CMD ["worker"]
COPY --from=tools /node/ /
RUN ln -s /app/apps/worker/bin/higgs.js /usr/local/bin/higgs

# --- The images. Layers go from what changes rarely to what changes often.
FROM base AS vulkan
# Vulkan's loader, and what NVIDIA's driver needs of X11 even without a screen. Other cards need Mesa's drivers in the image:
# --build-arg VULKAN_DRIVERS=mesa-vulkan-drivers
ARG VULKAN_DRIVERS=
RUN apt-get update \
 && apt-get install -y --no-install-recommends libvulkan1 libxext6 libglvnd0 ${VULKAN_DRIVERS} \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log
ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics
COPY --from=gpu-vulkan /out/ggml/ /
COPY --from=app /out/modules/ /app/
COPY --from=app /sbom/vulkan/ /
COPY --from=app /out/app/ /app/
ARG VERSION=unversioned
ARG REVISION=unknown
LABEL org.opencontainers.image.version="${VERSION}-vulkan" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="MIT AND LGPL-2.0-or-later AND LGPL-2.1-only AND LGPL-3.0-or-later AND MPL-2.0"

FROM base AS cuda13
COPY --from=gpu-cuda13 /out/nvidia/ /
COPY --from=gpu-cuda13 /out/ggml/ /
COPY --from=app /out/modules/ /app/
COPY --from=app /sbom/cuda13/ /
COPY --from=app /out/app/ /app/
ARG VERSION=unversioned
ARG REVISION=unknown
LABEL org.opencontainers.image.version="${VERSION}-cuda13" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="MIT AND LGPL-2.0-or-later AND LGPL-2.1-only AND LGPL-3.0-or-later AND MPL-2.0 AND LicenseRef-NVIDIA-CUDA"

FROM base AS cuda12
COPY --from=gpu-cuda12 /out/nvidia/ /
COPY --from=gpu-cuda12 /out/ggml/ /
COPY --from=app /out/modules/ /app/
COPY --from=app /sbom/cuda12/ /
COPY --from=app /out/app/ /app/
ARG VERSION=unversioned
ARG REVISION=unknown
LABEL org.opencontainers.image.version="${VERSION}-cuda12" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="MIT AND LGPL-2.0-or-later AND LGPL-2.1-only AND LGPL-3.0-or-later AND MPL-2.0 AND LicenseRef-NVIDIA-CUDA"
