import { z } from 'zod';

export const packageName = () => z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9+._:]|-(?=.))*$/, 'write the name of a package');
