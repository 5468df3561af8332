/** Finds the prebuilt llama.cpp libraries that npm installed for this platform. Loads nothing. */
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface NativeLibraryPaths {
  /** Folder of the libraries; ggml picks the CPU variant that fits the machine from it. */
  readonly folder: string;
  readonly llama: string;
  readonly ggml: string;
  readonly ggmlBase: string;
  /** Package and versioned file, e.g. `@node-llama-cpp/linux-x64 libllama.v0.5.0.so`. */
  readonly name: string;
}

const packageByPlatform: Readonly<Record<string, string>> = {
  'linux-x64': '@node-llama-cpp/linux-x64',
  'linux-arm64': '@node-llama-cpp/linux-arm64',
  'darwin-arm64': '@node-llama-cpp/mac-arm64-metal',
  'darwin-x64': '@node-llama-cpp/mac-x64',
  'win32-x64': '@node-llama-cpp/win-x64',
};

/** Matches `libllama.v0.5.0.so`, `libggml.dylib`, `ggml-base.dll`, but not `libllama-common.so`. */
function libraryPattern(name: string): RegExp {
  return new RegExp(`^(lib)?${name}(\\.v?[\\d.]+)?\\.(so|dylib|dll)$`);
}

/** @throws Error whose text says what to install, when this platform has no libraries. */
export function findNativeLibrary(): NativeLibraryPaths {
  const platform = `${process.platform}-${process.arch}`;
  const packageName = packageByPlatform[platform];
  if (packageName === undefined) {
    throw new Error(
      `There is no prebuilt llama.cpp for ${platform}; use an openai-compatible engine instead.`,
    );
  }
  const binariesFolder = join(dirname(resolvePackage(packageName)), '..', 'bins');
  const folder = readdirSync(binariesFolder, { withFileTypes: true }).find((item) => item.isDirectory());
  if (folder === undefined) {
    throw new Error(`${packageName} holds no libraries; run \`npm ci\` again.`);
  }
  const path = join(binariesFolder, folder.name);
  const names = readdirSync(path);
  const find = (name: string): string => {
    const match = names.find((candidate) => libraryPattern(name).test(candidate));
    if (match === undefined) {
      throw new Error(`${packageName} holds no ${name} library; run \`npm ci\` again.`);
    }
    return join(path, match);
  };
  const llama = find('llama');
  return {
    folder: path,
    llama,
    ggml: find('ggml'),
    ggmlBase: find('ggml-base'),
    name: `${packageName} ${basename(llama)}`,
  };
}

function resolvePackage(packageName: string): string {
  try {
    return fileURLToPath(import.meta.resolve(packageName));
  } catch (cause) {
    throw new Error(
      `The package ${packageName} is not installed. Run \`npm ci\` without \`--omit=optional\`; it needs glibc 2.34 or newer on Linux.`,
      { cause },
    );
  }
}
