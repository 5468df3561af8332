import { Eye, EyeOff } from 'lucide-react';
import { useState } from 'react';
import { useMessages } from '../i18n/language-context.tsx';
import { componentMessages } from './component-messages.ts';
import { TextField, type TextFieldProps } from './field.tsx';

/** A password, which may be made readable while it is typed. */
export function PasswordField(props: Omit<TextFieldProps, 'type'>) {
  const t = useMessages(componentMessages);
  const [isShown, setIsShown] = useState(false);
  return (
    <div className="relative">
      <TextField {...props} type={isShown ? 'text' : 'password'} className="pr-9" />
      <button
        type="button"
        aria-label={isShown ? t('hidePassword') : t('showPassword')}
        aria-pressed={isShown}
        onClick={() => setIsShown(!isShown)}
        className="absolute top-[26px] right-0 flex size-9 items-center justify-center rounded-md text-faint hover:text-text"
      >
        {isShown ? <EyeOff size={15} aria-hidden /> : <Eye size={15} aria-hidden />}
      </button>
    </div>
  );
}
